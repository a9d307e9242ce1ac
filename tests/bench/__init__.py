"""Benchmarks: how fast, how evenly and in how little memory the project works."""
