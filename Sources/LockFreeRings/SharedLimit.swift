internal import CPlatform
public import Synchronization

/// One use of a `SharedLimit`, with its place in the one order of all uses.
@frozen public struct LimitUse: BitwiseCopyable, Hashable, Sendable {
  /// What was done.
  @frozen public enum Kind: UInt8, BitwiseCopyable, Hashable, Sendable, CaseIterable {
    /// An amount was asked for: granted or refused.
    case reserve = 1
    /// An amount was given back, or what is held is worth something else: always granted.
    case revalue = 2
  }

  /// Its place among the uses of that limit, from 0 without gaps.
  public var ticket: UInt64
  /// What caused it, in the caller's numbers.
  public var tag: UInt64
  /// What the user's earlier uses are worth at this moment.
  public var stake: Int64
  /// What was asked for on top.
  public var amount: Int64
  /// Sum over all users afterwards.
  public var used: Int64
  /// Who asked.
  public var user: UInt32
  /// What was done.
  public var kind: Kind
  /// Whether the amount was granted.
  public var isGranted: Bool
  /// Which limit was used, in its owner's numbers; each has its own tickets.
  public var number: UInt16

  /// A use; `used` is what it leaves behind.
  @inlinable public init(
    number: UInt16 = 0, ticket: UInt64, tag: UInt64, user: UInt32, kind: Kind, stake: Int64, amount: Int64, used: Int64,
    isGranted: Bool
  ) {
    self.number = number
    self.ticket = ticket
    self.tag = tag
    self.user = user
    self.kind = kind
    self.stake = stake
    self.amount = amount
    self.used = used
    self.isGranted = isGranted
  }
}

/// A limit that several threads share: an amount is reserved before it is used, so the limit is never overshot.
///
/// One pair of words, changed by a double-word compare-and-swap:
///
///     +0  used    what all users hold and have reserved
///     +8  ticket  number of the next use
///
/// The sum and the number change together: no interleaving of reservations lets the sum pass the limit, not even for a moment, and
/// every use, refused ones too, has its place in one order. Uses recorded with their tickets can be replayed: see
/// `init(limit:replaying:in:)`.
///
/// What is held may be worth more later without anybody asking (a price moved); its user tells so by a revaluation, which is
/// always taken. It may lift the sum above the limit, and then nothing more is granted until the sum is below it again.
@safe public struct SharedLimit: ~Copyable {
  /// Largest limit and largest stake of one user: 64 of them fit 64 bits.
  @inlinable public static var amountMax: Int64 { 1 << 56 }
  /// Users a limit can have.
  @inlinable public static var userCountMax: Int { 64 }

  /// What the users may hold and reserve together, where a reservation names nothing less.
  public let limit: Int64
  /// Which limit this is, in its owner's numbers.
  public let number: UInt16
  private let words: SharedLimitWords
  private let script: SharedLimitScript?
  private let arena: Arena
  private var userCount = 0

  /// A limit that nobody uses yet.
  ///
  /// - Precondition: `0 <= limit <= amountMax`.
  /// - Throws: `ArenaError` when the arena is full.
  public init(limit: Int64, number: UInt16 = 0, in arena: Arena) throws(ArenaError) {
    precondition(limit >= 0 && limit <= Self.amountMax, "SharedLimit: the limit is 0 to amountMax")
    words = try SharedLimitWords(in: arena)
    script = nil
    self.limit = limit
    self.number = number
    self.arena = arena
  }

  /// A limit whose uses happen in a recorded order: each waits for its turn and must be what was recorded.
  ///
  /// - Parameters:
  ///   - uses: the whole record of this limit, in any order.
  ///   - patience: how long a use waits for its turn before the replay counts as diverged.
  /// - Precondition: `0 <= limit <= amountMax`; the tickets of `uses` are 0, 1, 2 and so on.
  /// - Throws: `ArenaError` when the arena is full.
  public init(
    limit: Int64, number: UInt16 = 0, replaying uses: [LimitUse], patienceMilliseconds patience: UInt64 = 10_000,
    in arena: Arena
  ) throws(ArenaError) {
    precondition(limit >= 0 && limit <= Self.amountMax, "SharedLimit: the limit is 0 to amountMax")
    words = try SharedLimitWords(in: arena)
    script = SharedLimitScript(uses, patienceMilliseconds: patience)
    self.limit = limit
    self.number = number
    self.arena = arena
  }

  /// What all users hold and have reserved, and the number of uses so far; both of the same moment.
  public var state: (used: Int64, uses: UInt64) {
    // Acquire: what the users did before is seen by whoever acts on the sum.
    let pair = unsafe words.pair.pointee.load(ordering: .acquiring)
    return (Int64(bitPattern: UInt64(pair.first)), UInt64(pair.second))
  }

  /// Why a replay does not repeat its record, or nil while it does.
  public var divergence: LimitDivergence? { script?.divergence }

  /// The handle of the next user, numbered from 0.
  ///
  /// - Precondition: fewer than `userCountMax` were taken.
  public mutating func takeHandle() -> Handle {
    precondition(userCount < Self.userCountMax, "SharedLimit: at most 64 users")
    defer { userCount += 1 }
    return Handle(
      words: words, limit: limit, number: number, user: UInt32(truncatingIfNeeded: userCount), script: script,
      owner: arena)
  }
}

extension SharedLimit {
  /// One user's side of a limit, for one thread at a time; it knows what it has reserved and what it holds.
  @safe @frozen public struct Handle: ~Copyable, Sendable {
    @usableFromInline let words: SharedLimitWords
    /// What the users may hold and reserve together, where a reservation names nothing less.
    public let limit: Int64
    /// Which limit this is, in its owner's numbers.
    public let number: UInt16
    /// The number of this user.
    public let user: UInt32
    /// Granted and neither committed nor given back.
    public private(set) var reserved: Int64 = 0
    /// Committed.
    public private(set) var held: Int64 = 0
    @usableFromInline let isScripted: Bool
    // Asked in a replay only; untouched otherwise, so the hot path neither retains nor releases it.
    private let script: SharedLimitScript?
    // Keeps the memory alive; not touched after `init`.
    private let owner: Arena

    init(
      words: SharedLimitWords, limit: Int64, number: UInt16, user: UInt32, script: SharedLimitScript?, owner: Arena
    ) {
      self.words = words
      self.limit = limit
      self.number = number
      self.user = user
      self.script = script
      isScripted = script != nil
      self.owner = owner
    }

    /// This user's part of the sum: what is left of it at the end has leaked.
    @inlinable public var outstanding: Int64 { reserved + held }

    /// Asks for `amount`: granted when the sum over all users stays within the limit, else nothing changes.
    ///
    /// - Parameters:
    ///   - stake: what this user holds is worth that now; nil keeps it. Taken over in the same step, granted or not.
    ///   - least: a limit for this reservation; the shared one holds where that is less.
    ///   - tag: the caller's number of what caused it.
    /// - Precondition: `amount >= 0`; `0 <= stake <= amountMax`.
    /// - Complexity: lock-free; one compare-and-swap without contention. No allocation.
    public mutating func reserve(
      _ amount: Int64, holding stake: Int64? = nil, within least: Int64 = .max, tag: UInt64
    ) -> LimitUse {
      precondition(amount >= 0, "SharedLimit: an amount is not negative")
      let value = stake ?? held
      precondition(value >= 0 && value <= SharedLimit.amountMax, "SharedLimit: a stake is 0 to amountMax")
      let bound = max(0, min(limit, least))
      let use = exchange(.reserve, stake: reserved + value, adding: amount, within: bound, tag: tag)
      held = value
      if use.isGranted { reserved += amount }
      return use
    }

    /// Turns `amount` of what is reserved into what is held; the sum does not change.
    ///
    /// - Precondition: `0 <= amount <= reserved`.
    public mutating func commit(_ amount: Int64) {
      precondition(amount >= 0 && amount <= reserved, "SharedLimit: what is committed was reserved")
      reserved -= amount
      // Cannot overflow: it was part of a sum that fits.
      held += amount
    }

    /// Gives `amount` of what is reserved back.
    ///
    /// - Precondition: `0 <= amount <= reserved`.
    public mutating func cancel(_ amount: Int64, tag: UInt64) -> LimitUse {
      precondition(amount >= 0 && amount <= reserved, "SharedLimit: what is given back was reserved")
      let use = exchange(.revalue, stake: outstanding - amount, adding: 0, within: limit, tag: tag)
      reserved -= amount
      return use
    }

    /// Gives `amount` of what is held back.
    ///
    /// - Precondition: `0 <= amount <= held`.
    public mutating func release(_ amount: Int64, tag: UInt64) -> LimitUse {
      precondition(amount >= 0 && amount <= held, "SharedLimit: what is given back was held")
      let use = exchange(.revalue, stake: outstanding - amount, adding: 0, within: limit, tag: tag)
      held -= amount
      return use
    }

    /// What this user holds is worth `stake` from now on, whatever the limit says.
    ///
    /// - Precondition: `0 <= stake <= amountMax`.
    public mutating func revalue(to stake: Int64, tag: UInt64) -> LimitUse {
      precondition(stake >= 0 && stake <= SharedLimit.amountMax, "SharedLimit: a stake is 0 to amountMax")
      let use = exchange(.revalue, stake: reserved + stake, adding: 0, within: limit, tag: tag)
      held = stake
      return use
    }

    /// Replaces this user's part of the sum by `stake`, plus `amount` where that is within `bound`.
    private mutating func exchange(
      _ kind: LimitUse.Kind, stake: Int64, adding amount: Int64, within bound: Int64, tag: UInt64
    ) -> LimitUse {
      let own = outstanding
      if isScripted {
        guard script!.awaitTurn(of: user, at: words) else {
          return LimitUse(
            number: number, ticket: .max, tag: tag, user: user, kind: kind, stake: stake, amount: amount, used: 0,
            isGranted: false)
        }
      }
      // Relaxed: the exchange below decides, and takes what it was told here as no more than a guess.
      var seen = unsafe words.pair.pointee.load(ordering: .relaxed)
      while true {
        let used = Int64(bitPattern: UInt64(seen.first))
        // Cannot overflow: 64 stakes of at most 2^56, and grants that together stay within a limit of 2^56.
        let base = used - own + stake
        // `bound - base` cannot overflow: the bound is 0 to 2^56 and the base at least 0.
        let isGranted = amount == 0 || amount <= bound - base
        let next = isGranted ? base + amount : base
        let desired = WordPair(first: UInt(UInt64(bitPattern: next)), second: seen.second &+ 1)
        // Acquire and release: what an earlier user did before giving an amount back happened before we use it. The wrapping
        // ticket of the line above: 2^64 uses take centuries.
        let (isDone, found) = unsafe words.pair.pointee.compareExchange(
          expected: seen, desired: desired, ordering: .acquiringAndReleasing)
        if isDone {
          let use = LimitUse(
            number: number, ticket: UInt64(seen.second), tag: tag, user: user, kind: kind, stake: stake, amount: amount,
            used: next, isGranted: isGranted)
          if isScripted { script!.compare(use) }
          return use
        }
        seen = found
        martlet_spin_pause()
      }
    }
  }
}

/// The two words of a limit, alone on their lines.
@safe @frozen @usableFromInline struct SharedLimitWords: @unchecked Sendable {
  @usableFromInline let pair: UnsafeMutablePointer<Atomic<WordPair>>

  init(in arena: Arena) throws(ArenaError) {
    // A double-word exchange needs 16-byte alignment; 128 keeps neighbours off the line.
    let memory = unsafe try arena.reserve(byteCount: 128, alignment: 128)
    unsafe pair = memory.bindMemory(to: Atomic<WordPair>.self, capacity: 1)
    unsafe pair.initialize(to: Atomic(WordPair(first: 0, second: 0)))
  }
}
