"""Backup and restore: one archive format for both databases; a backup of one restores into the other."""
