public import TradingTypes

/// A message with what it did to the book and the book after it.
public struct BookRow {
  /// The message.
  public var event: MarketEvent
  /// What it did.
  public var effect: BookEffect
  /// The ten best levels after it.
  public var depth: DepthView
  /// An execution at the resting price, or a hidden trade.
  public var isTrade: Bool { event.kind == .executeOrder || event.kind == .trade }

  /// A row of these.
  public init(event: MarketEvent, effect: BookEffect, depth: DepthView) {
    self.event = event
    self.effect = effect
    self.depth = depth
  }
}

/// Whether the first `levels` levels of two views agree.
public func areEqual(_ left: DepthView, _ right: DepthView, levels: Int) -> Bool {
  (0..<levels).allSatisfy { left.bids[$0] == right.bids[$0] && left.asks[$0] == right.asks[$0] }
}
