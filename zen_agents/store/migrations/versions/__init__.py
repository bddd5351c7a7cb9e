"""One file a revision: four digits that sort by age."""
