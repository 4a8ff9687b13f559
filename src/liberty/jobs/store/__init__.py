"""The only code that speaks SQL about runs. Each function is an operation: `await database.write(runs.claim, …)`."""
