"""Who may look, who may command, and what keeps other web pages from doing either."""
