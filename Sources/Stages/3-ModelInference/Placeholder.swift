// Stages/3-ModelInference
