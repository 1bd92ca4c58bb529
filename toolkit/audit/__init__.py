"""What is true of an account right now: checks of what AWS answers. Pure; `toolkit.workflows.audit` reads."""
