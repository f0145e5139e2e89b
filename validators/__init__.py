"""Staged tables -> findings: one set of rules, two engines that must agree, and the controls."""
