"""From a copybook's text to a layout."""
