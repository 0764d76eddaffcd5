"""What the apps with pages for signed-in people share: who is here, the way into the record, the frame of a page."""
