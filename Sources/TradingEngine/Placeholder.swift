// TradingEngine
