"""Environment → RenderedTree: the Terraform root module as text. Pure; sole user of Jinja besides reports."""
