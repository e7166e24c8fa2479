"""clustersim's cost beside what one would write instead; ``python -m benchmarks --help`` says the rest."""
