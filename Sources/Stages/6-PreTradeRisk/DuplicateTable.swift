public import LockFreeRings
public import TradingTypes

/// What makes two orders the same for check 28.
@frozen public struct DuplicateKey: BitwiseCopyable, Hashable, Sendable {
  /// Price as ordered.
  public var price: Price
  /// Lots ordered.
  public var quantity: Quantity
  /// The instrument.
  public var instrument: InstrumentID
  /// The account.
  public var account: AccountID
  /// Direction.
  public var side: Side

  /// The key of `intent`.
  @inlinable public init(_ intent: borrowing OrderIntent) {
    price = intent.price
    quantity = intent.quantity
    instrument = intent.instrument
    account = intent.account
    side = intent.side
  }

  /// Spreads all fields over 64 bits; equal keys give equal values.
  @inlinable var spread: UInt64 {
    let low = UInt64(instrument.index) << 32 | UInt64(account.index) << 16 | UInt64(side.rawValue)
    // Wrapping: hashing is modulo 2^64. Odd multipliers from SplitMix64, so that no bit is lost before the last step.
    var hash = (UInt64(bitPattern: price.nanos) &* 0x9E37_79B9_7F4A_7C15) ^ low
    hash = (hash ^ (hash >> 32)) &* 0xBF58_476D_1CE4_E5B9
    hash = (hash ^ UInt64(bitPattern: quantity.lots)) &* 0x94D0_49BB_1331_11EB
    return hash ^ (hash >> 29)
  }

  /// Where a table looks for it.
  @inlinable var home: UInt32 { UInt32(truncatingIfNeeded: spread) }
}

/// The orders of the last while, to recognise a repetition: fixed memory, exact comparison.
///
/// ```
/// index   [ · ][ 3 ][ · ][ 1 ] …      place of an entry + 1, by hash, linear probing
///              ╲        ╱
/// entries [ 0 ][ 1 ][ 2 ][ 3 ] …      a ring in order of arrival: the oldest leaves first
/// ```
///
/// An entry leaves when it is older than the window, at most `evictionsMax` at a time, so that no call is long. It never takes two
/// different orders for the same. While every entry is younger than the window it has no room and says so.
@frozen public struct DuplicateTable: ~Copyable {
  /// An order that passed.
  @frozen @usableFromInline struct Entry: BitwiseCopyable {
    @usableFromInline var key: DuplicateKey
    @usableFromInline var time: Timestamp
    /// The low half of the key's spread: where its index slot is looked for.
    @usableFromInline var home: UInt32
    /// A newer entry has the same key: nothing points here.
    @usableFromInline var isSuperseded: Bool
    @inlinable init(_ key: DuplicateKey, _ home: UInt32, _ time: Timestamp) {
      self.key = key
      self.home = home
      self.time = time
      isSuperseded = false
    }
  }

  /// Entries removed by one `insert` at most: more than come in, so that old ones do not pile up.
  @inlinable public static var evictionsMax: Int { 4 }

  /// Orders it can remember.
  public let capacity: Int
  @usableFromInline var entries: Slab<Entry>
  @usableFromInline var index: Slab<UInt32>
  /// Entries ever written and ever removed; their difference is in use.
  @usableFromInline var written = 0
  @usableFromInline var removed = 0

  /// A table that remembers nothing yet.
  ///
  /// - Precondition: `capacity` is a power of two up to 2^30.
  public init(capacity: Int, in arena: Arena) {
    precondition(
      capacity > 0 && capacity <= 1 << 30 && capacity & (capacity - 1) == 0,
      "DuplicateTable: the capacity is a power of two up to 2^30")
    self.capacity = capacity
    let nothing = OrderIntent(
      clientOrderID: .none, causeSequence: 0, time: .distantPast, instrument: .none, side: .buy, price: .zero,
      quantity: .zero)
    entries = Slab(repeating: Entry(DuplicateKey(nothing), 0, .distantPast), count: capacity, in: arena)
    index = Slab(repeating: 0, count: 2 * capacity, in: arena)
  }

  /// Orders remembered, the old ones that have not left yet included.
  @inlinable public var count: Int { written - removed }

  /// When an equal order came last, or nil when none is remembered.
  @inlinable public func lastTime(of key: DuplicateKey) -> Timestamp? {
    guard let place = Self.held(index[masked: slot(for: key, home: key.home)]) else { return nil }
    return entries[masked: place].time
  }

  /// Whether another order can be remembered at `now`: a place is free, or its oldest order is out of the window.
  @inlinable public func hasRoom(at now: Timestamp, window: TimeSpan) -> Bool {
    count < capacity || isOver(entries[masked: removed], now, window)
  }

  /// Remembers an order that came at `now`, in place of an equal older one.
  ///
  /// - Precondition: `hasRoom` was true for the same arguments.
  @inlinable public mutating func insert(_ key: DuplicateKey, at now: Timestamp, window: TimeSpan) {
    var evictions = 0
    while evictions < Self.evictionsMax, count > 0, isOver(entries[masked: removed], now, window) {
      evict()
      evictions += 1
    }
    append(key, at: now)
  }

  /// Remembers an order in a free place.
  @inlinable mutating func append(_ key: DuplicateKey, at now: Timestamp) {
    precondition(count < capacity, "DuplicateTable: there is room")
    let place = written & (capacity - 1)
    let home = key.home
    let slot = slot(for: key, home: home)
    if let older = Self.held(index[masked: slot]) { entries[masked: older].isSuperseded = true }
    index[masked: slot] = UInt32(place + 1)
    entries[masked: place] = Entry(key, home, now)
    written += 1
  }

  /// Out of the window, or superseded: an equal order would not be refused for it.
  @inlinable func isOver(_ entry: Entry, _ now: Timestamp, _ window: TimeSpan) -> Bool {
    entry.isSuperseded || now - entry.time >= window
  }

  /// The place of the entry an index slot points to, or nil for a free slot.
  @inlinable static func held(_ slot: UInt32) -> Int? { slot == 0 ? nil : Int(slot) - 1 }

  /// The index slot that points to `key`, or the free one where it would go; ends because half of the index is free.
  @inlinable func slot(for key: DuplicateKey, home: UInt32) -> Int {
    var slot = Int(home)
    while let place = Self.held(index[masked: slot]) {
      if entries[masked: place].home == home && entries[masked: place].key == key { break }
      slot += 1
    }
    return slot
  }

  /// Removes the oldest entry, and its slot unless a newer entry has taken it over.
  @inlinable mutating func evict() {
    let place = removed & (capacity - 1)
    removed += 1
    guard !entries[masked: place].isSuperseded else { return }
    let mask = index.count - 1
    var gap = Int(entries[masked: place].home)
    // Its slot exists: only a newer entry of the same key takes it over, and that supersedes.
    while index[masked: gap] != UInt32(place + 1) { gap += 1 }
    var next = gap + 1
    while let moved = Self.held(index[masked: next]) {
      // How far the entry is from home, and how far the gap is behind it.
      let displacement = (next &- Int(entries[masked: moved].home)) & mask
      if displacement >= (next &- gap) & mask {
        index[masked: gap] = index[masked: next]
        gap = next
      }
      next += 1
    }
    index[masked: gap] = 0
  }
}
