"""The control catalogue: which module resource serves which requirement of which framework.

One way only: a module's controls.yaml names topics; framework_ids.json names the requirement ids of each topic. A
module declares a topic that the catalogue lacks beside its claim, and own_topics.json collects these. What is
claimed is always computed from values, never declared.
"""
