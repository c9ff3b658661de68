"""One cell, from configuration to a finished MLflow run."""
