// Stages/4-RegimeDetection
