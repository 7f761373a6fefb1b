"""From a fitted scikit-learn pipeline to the plan of a compiled engine, and the proof that both agree."""
