"""The control catalogue: which module resource serves which requirement of which framework.

One way only: a module's controls.yaml names topics; framework_ids.json names the requirement ids of each topic. What
is claimed is always computed from values, never declared.
"""
