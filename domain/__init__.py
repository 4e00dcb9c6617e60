"""Values and rules, as plain as arithmetic: nothing here reads, writes, waits, or knows who asks."""
