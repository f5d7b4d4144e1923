// TradingEngineTests
