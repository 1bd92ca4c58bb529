"""What people and scripts read of a plan: one interface (`PlanView` in, text out), one file per format."""
