"""How hypothesis searches in the unit tests."""

from hypothesis import HealthCheck, settings

# How long an example takes depends on what else the machine does, which is no fault. In CI, hypothesis does so itself.
settings.register_profile("unhurried", settings(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("unhurried")
