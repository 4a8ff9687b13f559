"""What the server is measured against, independent of its code."""
