"""The boundary to AWS: sole importer of boto3. Answers leave it as frozen facts, failures as ToolkitError."""
