"""What many results say: the score card, as Markdown and as one page that needs nothing else."""
