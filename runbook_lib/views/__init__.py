"""What people see: cards, panel and report, each a function of the record."""
