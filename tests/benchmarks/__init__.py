"""clustersim's cost beside what one would write instead; ``python -m tests.benchmarks --help`` says the rest."""
