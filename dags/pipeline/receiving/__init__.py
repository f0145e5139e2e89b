"""What is received: the files of an inbox against what the manifests expect, and the slices that dumps are cut into."""
