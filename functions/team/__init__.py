"""What both the wallboard and the desk show about the team's work; computed when a page is drawn, stored nowhere."""
