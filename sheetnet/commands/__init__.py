"""Commands that have a module of their own: parse, call, report."""
