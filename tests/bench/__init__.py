"""What the project measures of itself: how fast, how evenly and in how little memory it works."""
