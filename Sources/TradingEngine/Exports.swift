// What a host needs comes with one import: the stages it may replace or look into, and the structures under them.
@_exported public import EngineTelemetry
@_exported public import EventJournal
@_exported public import LockFreeRings
@_exported public import MarketIngest
@_exported public import ModelInference
@_exported public import OrderBooks
@_exported public import OrderRouting
@_exported public import PortfolioLedger
@_exported public import PositionSizing
@_exported public import PreTradeRisk
@_exported public import RegimeDetection
@_exported public import SignalFeatures
@_exported public import TradingTypes
