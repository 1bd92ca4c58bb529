"""The orchestrators: each command's work, composed of the rooms below. They decide order, never wording or colours."""
