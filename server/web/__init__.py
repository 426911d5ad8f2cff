"""The browser pages: TypeScript sources, their build, and where the built files are."""
