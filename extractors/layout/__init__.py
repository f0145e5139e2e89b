"""What a record looks like, whoever described it: items as they are nested, fields as they are read, places that vary."""
