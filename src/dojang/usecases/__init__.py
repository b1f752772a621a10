"""Does: one public async function per file, named like the file. Load, ask, decide, commit."""
