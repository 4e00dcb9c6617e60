"""What is deployed, and only that: one module or package per function, listed in `table`; `door` lets in and out."""
