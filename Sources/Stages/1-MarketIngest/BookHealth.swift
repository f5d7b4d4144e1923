public import LockFreeRings
public import OrderBooks
public import TradingTypes

/// When a book counts as wrong although no message is missing.
public struct BookHealthRules: Sendable, Hashable {
  /// Messages of a book that its unknown orders are counted over.
  public let windowMessages: Int
  /// So many unknown orders among them are still no reason for doubt.
  public let unknownOrderMax: Int
  /// How long bid may stand above ask; nil for as long as it likes.
  public let crossedMax: TimeSpan?
  /// A bid equal to the ask is no fault.
  public let allowsLocked: Bool

  /// More than 1 % unknown of the last 10,000 messages, or 100 ms crossed, make a book stale.
  public static var standard: BookHealthRules { BookHealthRules() }

  private init() {
    windowMessages = 10_000
    unknownOrderMax = 100
    crossedMax = .milliseconds(100)
    allowsLocked = true
  }

  /// Rules; the defaults are those of `standard`.
  ///
  /// - Throws: `ConfigurationError` that names the value and what was expected.
  public init(
    windowMessages: Int = 10_000, unknownOrderMax: Int = 100, crossedMax: TimeSpan? = .milliseconds(100),
    allowsLocked: Bool = true
  ) throws(ConfigurationError) {
    guard (1...1_000_000).contains(windowMessages) else {
      throw ConfigurationError("book health: window of \(windowMessages) messages, expected 1 to 1000000")
    }
    guard (0...min(windowMessages, 10_000)).contains(unknownOrderMax) else {
      throw ConfigurationError(
        "book health: \(unknownOrderMax) unknown orders, expected 0 to \(min(windowMessages, 10_000))")
    }
    if let crossedMax, crossedMax.nanoseconds < 0 {
      throw ConfigurationError("book health: crossed for \(crossedMax.nanoseconds) ns at most, expected 0 or more")
    }
    self.windowMessages = windowMessages
    self.unknownOrderMax = unknownOrderMax
    self.crossedMax = crossedMax
    self.allowsLocked = allowsLocked
  }

  /// Bytes that `BookHealth` takes from its arena for `instruments` books.
  public func arenaBytes(instruments: Int) -> Int {
    instruments * (MemoryLayout<BookRecord>.stride + (unknownOrderMax + 1) * MemoryLayout<UInt64>.stride) + 1_024
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

/// What is known of one book: half a cache line.
@frozen @usableFromInline struct BookRecord: BitwiseCopyable, Sendable {
  @usableFromInline var crossedSince = Timestamp.distantFuture
  /// Messages since the book was last whole.
  @usableFromInline var messageCount: UInt64 = 0
  /// Unknown orders among them.
  @usableFromInline var unknownCount: UInt64 = 0
  @usableFromInline var causes: UInt8 = 0
  @usableFromInline init() {}
}

/// Whether each book can be trusted: what its own messages say, and what its line says.
///
/// A book that is stale stays so until it is rebuilt, which begins with `clearBook`. One that is crossed for longer than allowed is stale by the
/// question alone, without another message.
///
/// - Complexity: O(1) a message, no allocation after `init`.
public struct BookHealth: ~Copyable {
  @usableFromInline var records: Slab<BookRecord>
  // A row a book: the numbers of its last messages that named an unknown order, one more than may be in a window.
  var unknowns: Slab<UInt64>
  let rules: BookHealthRules
  let quantityMax: Quantity
  /// How the line stands that all books come from.
  public var line = LineState.valid
  /// Messages whose numbers are out of range, by raw value of the fault.
  public private(set) var faultCounts: InlineArray<4, UInt64> = InlineArray(repeating: 0)
  /// Books that became stale, by raw value of the cause.
  public private(set) var causeCounts: InlineArray<5, UInt64> = InlineArray(repeating: 0)

  /// The books of a set of `capacity`, all without a fault.
  ///
  /// - Precondition: the arena has `rules.arenaBytes(instruments:)` free.
  public init(_ capacity: BookCapacity, rules: BookHealthRules, in arena: Arena) {
    records = Slab(repeating: BookRecord(), count: capacity.instruments, in: arena)
    unknowns = Slab(repeating: 0, count: capacity.instruments * (rules.unknownOrderMax + 1), in: arena)
    self.rules = rules
    quantityMax = capacity.quantityMax
  }

  // MARK: - Messages

  /// Takes notice of what `event` did to its book: `status` is the answer of `OrderBookSet.apply`.
  @inlinable @inline(__always) public mutating func observe(_ event: borrowing MarketEvent, _ status: BookStatus) {
    let place = Int(event.instrument.index)
    guard place < records.count else { return }
    // Wrapping, all counts: messages do not reach 2^64.
    records[place].messageCount &+= 1
    if status.rawValue <= BookStatus.ignored.rawValue, event.kind != .clearBook { return }
    observeOther(event, status)
  }

  @usableFromInline @inline(never) mutating func observeOther(_ event: borrowing MarketEvent, _ status: BookStatus) {
    let place = Int(event.instrument.index)
    switch status {
    case .duplicateOrder: mark(place, .duplicateOrder)
    case .overfill: mark(place, .overfill)
    case .poolExhausted: mark(place, .poolExhausted)
    case .unknownOrder: noteUnknown(place)
    case .invalid: if let fault = fault(of: event) { faultCounts[Int(fault.rawValue)] &+= 1 }
    case .applied: records[place] = BookRecord()
    case .ignored, .unknownInstrument: break
    }
  }

  /// What is out of range in `event`, or nil: the reason why a book refused it as `invalid`.
  public func fault(of event: borrowing MarketEvent) -> EventFault? {
    let lots = event.quantity.lots
    let needsQuantity: Bool
    let needsPrice: Bool
    switch event.kind {
    case .addOrder, .replaceOrder, .modifyOrder: (needsQuantity, needsPrice) = (true, true)
    case .executeOrder, .executeOrderAtPrice, .reduceOrder: (needsQuantity, needsPrice) = (true, false)
    case .setLevel: (needsQuantity, needsPrice) = (lots < 0, true)
    default: return nil
    }
    if needsQuantity, lots <= 0 { return .quantityNotPositive }
    if lots > quantityMax.lots { return .quantityAboveCap }
    if needsPrice, event.price.nanos <= 0 { return .priceNotPositive }
    if needsPrice, event.price > BookCapacity.priceMax { return .priceAboveCap }
    return nil
  }

  /// Takes notice of the best levels of the book of `id`, whenever they change.
  public mutating func observe(_ id: InstrumentID, bid: DepthLevel, ask: DepthLevel, at now: Timestamp) {
    let place = Int(id.index)
    guard place < records.count else { return }
    let isCrossed =
      bid.quantity.lots > 0 && ask.quantity.lots > 0
      && (rules.allowsLocked ? bid.price > ask.price : bid.price >= ask.price)
    guard isCrossed || records[place].crossedSince != .distantFuture else { return }
    if isTooLong(place, at: now) { mark(place, .crossed) }
    if !isCrossed {
      records[place].crossedSince = .distantFuture
    } else if records[place].crossedSince == .distantFuture {
      records[place].crossedSince = now
    }
  }

  /// Says that a batch of messages that belong together is over: a book that it leaves crossed is stale at once.
  public mutating func endBatch(_ id: InstrumentID) {
    guard Int(id.index) < records.count, records[Int(id.index)].crossedSince != .distantFuture else { return }
    mark(Int(id.index), .crossed)
  }

  // MARK: - Answers

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

  /// Notes that the latest message of a book named an unknown order: the oldest of a full row tells whether all of it is in the window.
  private mutating func noteUnknown(_ place: Int) {
    let row = UInt64(rules.unknownOrderMax + 1)
    let number = records[place].messageCount
    let seen = records[place].unknownCount
    let slot = place * Int(row) + Int(seen % row)
    unknowns[slot] = number
    records[place].unknownCount = seen + 1
    guard seen + 1 >= row else { return }
    let oldest = unknowns[place * Int(row) + Int((seen + 1) % row)]
    if number - oldest < UInt64(rules.windowMessages) { mark(place, .unknownOrders) }
  }
}
