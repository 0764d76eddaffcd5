"""Topic-based subscriptions (Subscriptions R5 Backport, R4): who is told what, how, and until when."""
