public import LockFreeRings
public import TradingTypes

/// When a book counts as wrong although no message is missing.
public struct BookHealthRules: Sendable, Hashable {
  /// Messages of a book that its share of unknown orders is taken over.
  public let windowMessages: Int
  /// So many unknown orders among them are still no reason for doubt.
  public let unknownOrderMax: Int
  /// How long bid may stand above ask; nil for as long as it likes.
  public let crossedMax: TimeSpan?
  /// A bid equal to the ask is no fault.
  public let allowsLocked: Bool
  /// The largest quantity an order may have.
  public let quantityMax: Quantity
  /// The highest price an order may have.
  public let priceMax: Price

  /// Rules; by default more than 1 % unknown of the last 10,000 messages, or 100 ms crossed, make a book stale.
  ///
  /// - Throws: `ConfigurationError` that names the value and what was expected.
  public init(
    windowMessages: Int = 10_000, unknownOrderMax: Int = 100, crossedMax: TimeSpan? = .milliseconds(100),
    allowsLocked: Bool = true, quantityMax: Quantity = Quantity(lots: 1 << 40),
    priceMax: Price = Price(nanos: 1_000_000_000_000_000)
  ) throws(ConfigurationError) {
    guard (1...1_000_000).contains(windowMessages) else {
      throw ConfigurationError("book health: window of \(windowMessages) messages, expected 1 to 1000000")
    }
    guard (0...windowMessages).contains(unknownOrderMax) else {
      throw ConfigurationError("book health: \(unknownOrderMax) unknown orders, expected 0 to \(windowMessages)")
    }
    guard crossedMax.map({ $0.nanoseconds >= 0 }) ?? true, quantityMax.lots > 0, priceMax.nanos > 0 else {
      throw ConfigurationError("book health: a limit is negative, or a cap is not positive")
    }
    self.windowMessages = windowMessages
    self.unknownOrderMax = unknownOrderMax
    self.crossedMax = crossedMax
    self.allowsLocked = allowsLocked
    self.quantityMax = quantityMax
    self.priceMax = priceMax
  }

  /// Bytes that `BookHealth` takes from its arena for `instruments` books.
  public func arenaBytes(instruments: Int) -> Int {
    instruments * (MemoryLayout<BookRecord>.stride + (windowMessages + 63) / 64 * 8) + 1_024
  }
}

/// What is wrong with the numbers of an order message.
@frozen public enum EventFault: UInt8, BitwiseCopyable, Hashable, Sendable, CaseIterable {
  /// A size of 0 or below where there must be one.
  case quantityNotPositive = 0
  /// A size above the cap.
  case quantityAboveCap = 1
  /// A price of 0 or below where there must be one.
  case priceNotPositive = 2
  /// A price above the cap.
  case priceAboveCap = 3
}

/// Why a book is stale.
@frozen public enum StaleCause: UInt8, BitwiseCopyable, Hashable, Sendable, CaseIterable {
  /// Too many messages name orders that do not rest.
  case unknownOrders = 0
  /// An order came twice.
  case duplicateOrder = 1
  /// More was executed or cancelled than rested.
  case overfill = 2
  /// There was no room for an order or a level.
  case poolExhausted = 3
  /// Bid stood above ask (or at it, where that is a fault) for too long, or behind a full batch.
  case crossed = 4
}

/// What is known of one book.
@usableFromInline struct BookRecord: BitwiseCopyable, Sendable {
  var crossedSince = Timestamp.distantFuture
  var unknownCount: Int32 = 0
  var position: Int32 = 0
  var causes: UInt8 = 0
}

/// Whether each book can be trusted: what its own messages say, and what its line says.
///
/// A book that is stale stays so until it is rebuilt. One that is crossed for longer than allowed is stale by the question alone, without
/// another message.
///
/// - Complexity: O(1) a message, no allocation after `init`.
public struct BookHealth: ~Copyable {
  var records: Slab<BookRecord>
  // A bit a message for the last messages of every book: whether it named an unknown order.
  var bits: Slab<UInt64>
  let wordsABook: Int
  let rules: BookHealthRules
  /// How the line stands that all books come from.
  public var line = LineState.valid
  /// Messages whose numbers are out of range, by raw value of the fault.
  public private(set) var faultCounts: InlineArray<4, UInt64> = InlineArray(repeating: 0)
  /// Messages by raw value of what became of them.
  public private(set) var statusCounts: InlineArray<8, UInt64> = InlineArray(repeating: 0)
  /// Books that became stale, by raw value of the cause.
  public private(set) var causeCounts: InlineArray<5, UInt64> = InlineArray(repeating: 0)

  /// The books of `instruments` instruments, all without a fault.
  ///
  /// - Precondition: the arena has `rules.arenaBytes(instruments:)` free.
  public init(instruments: Int, rules: BookHealthRules, in arena: Arena) {
    wordsABook = (rules.windowMessages + 63) / 64
    records = Slab(repeating: BookRecord(), count: instruments, in: arena)
    bits = Slab(repeating: 0, count: instruments * wordsABook, in: arena)
    self.rules = rules
  }

  /// What is out of range in `event`, counted; nil for a message that may go to its book.
  public mutating func fault(of event: borrowing MarketEvent) -> EventFault? {
    let lots = event.quantity.lots
    let needsQuantity: Bool
    let needsPrice: Bool
    switch event.kind {
    case .addOrder, .replaceOrder, .modifyOrder, .trade: (needsQuantity, needsPrice) = (true, true)
    case .executeOrder, .reduceOrder: (needsQuantity, needsPrice) = (true, false)
    case .executeOrderAtPrice: (needsQuantity, needsPrice) = (true, true)
    case .setLevel: (needsQuantity, needsPrice) = (lots < 0, true)
    default: return nil
    }
    let fault: EventFault?
    if needsQuantity, lots <= 0 {
      fault = .quantityNotPositive
    } else if lots > rules.quantityMax.lots {
      fault = .quantityAboveCap
    } else if needsPrice, event.price.nanos <= 0 {
      fault = .priceNotPositive
    } else if event.price.nanos > rules.priceMax.nanos {
      fault = .priceAboveCap
    } else {
      return nil
    }
    // Wrapping, all counts: messages do not reach 2^64.
    if let fault { faultCounts[Int(fault.rawValue)] &+= 1 }
    return fault
  }

  /// Takes notice of what a message did to the book of `id`, and of the best levels it left.
  public mutating func observe(
    _ id: InstrumentID, _ status: BookStatus, bid: DepthLevel, ask: DepthLevel, at now: Timestamp
  ) {
    statusCounts[Int(status.rawValue & 7)] &+= 1
    guard Int(id.index) < records.count else { return }
    let place = Int(id.index)
    switch status {
    case .duplicateOrder: mark(place, .duplicateOrder)
    case .overfill: mark(place, .overfill)
    case .poolExhausted: mark(place, .poolExhausted)
    default: break
    }
    note(place, isUnknown: status == .unknownOrder)
    let isCrossed =
      bid.quantity.lots > 0 && ask.quantity.lots > 0
      && (rules.allowsLocked ? bid.price.nanos > ask.price.nanos : bid.price.nanos >= ask.price.nanos)
    if !isCrossed {
      if isTooLong(place, at: now) { mark(place, .crossed) }
      records[place].crossedSince = .distantFuture
    } else if records[place].crossedSince == .distantFuture {
      records[place].crossedSince = now
    } else if isTooLong(place, at: now) {
      mark(place, .crossed)
    }
  }

  /// Says that a batch of messages that belong together is over: a book that it leaves crossed is stale at once.
  public mutating func endBatch(_ id: InstrumentID) {
    guard Int(id.index) < records.count, records[Int(id.index)].crossedSince != .distantFuture else { return }
    mark(Int(id.index), .crossed)
  }

  /// Trusts the book of `id` again: it was rebuilt.
  public mutating func rebuilt(_ id: InstrumentID) {
    guard Int(id.index) < records.count else { return }
    records[Int(id.index)] = BookRecord()
    for word in 0..<wordsABook { bits[Int(id.index) * wordsABook + word] = 0 }
  }

  /// How far the book of `id` can be trusted; an instrument without a book is stale.
  public func state(of id: InstrumentID, at now: Timestamp) -> LineState {
    let place = Int(id.index)
    guard place < records.count, records[place].causes == 0, !isTooLong(place, at: now) else { return .stale }
    return line
  }

  /// Whether nothing should trade on the book of `id`.
  public func isStale(_ id: InstrumentID, at now: Timestamp) -> Bool { state(of: id, at: now) != .valid }

  /// How far all books together can be trusted: the worst of them.
  ///
  /// - Complexity: O(instruments).
  public func stateOfAll(at now: Timestamp) -> LineState {
    for place in 0..<records.count where records[place].causes != 0 || isTooLong(place, at: now) { return .stale }
    return line
  }

  /// Whether `cause` made the book of `id` stale.
  public func isStale(_ id: InstrumentID, because cause: StaleCause) -> Bool {
    Int(id.index) < records.count && records[Int(id.index)].causes >> cause.rawValue & 1 != 0
  }

  private func isTooLong(_ place: Int, at now: Timestamp) -> Bool {
    guard let crossedMax = rules.crossedMax, records[place].crossedSince != .distantFuture else { return false }
    return now - records[place].crossedSince > crossedMax
  }

  private mutating func mark(_ place: Int, _ cause: StaleCause) {
    let bit = UInt8(1) << cause.rawValue
    guard records[place].causes & bit == 0 else { return }
    records[place].causes |= bit
    causeCounts[Int(cause.rawValue)] &+= 1
  }

  /// Notes one message in the window of a book, in place of the one `windowMessages` before it.
  private mutating func note(_ place: Int, isUnknown: Bool) {
    let position = Int(records[place].position)
    let word = place * wordsABook + position / 64
    let bit = UInt64(1) << UInt64(position % 64)
    if bits[word] & bit != 0 { records[place].unknownCount -= 1 }
    if isUnknown {
      bits[word] |= bit
      records[place].unknownCount += 1
    } else {
      bits[word] &= ~bit
    }
    records[place].position = position + 1 == rules.windowMessages ? 0 : Int32(position + 1)
    if Int(records[place].unknownCount) > rules.unknownOrderMax { mark(place, .unknownOrders) }
  }
}
