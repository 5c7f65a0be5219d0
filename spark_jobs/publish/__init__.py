"""Index versions: built apart from what is served, checked, switched to in one transaction, collected later."""
