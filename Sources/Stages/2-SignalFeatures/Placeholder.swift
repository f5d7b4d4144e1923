// Stages/2-SignalFeatures
