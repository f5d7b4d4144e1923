// EngineTelemetry
