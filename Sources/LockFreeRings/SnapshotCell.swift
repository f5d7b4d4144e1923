public import Synchronization

/// One value that one thread replaces whole and others read whole: a policy, a limit set, a kill state.
///
/// The writer fills the next of four slots and then publishes its version, so a reader is never stopped by a writer that was
/// interrupted; it copies again only if three more versions came out during its copy.
///
///     line 0: version of the newest value, from 0
///     then:   slots 0…3, each whole 128-byte lines of 64-bit words; version v is in slot v mod 4
///
/// - Source: a sequence lock (Boehm 2012, "Can seqlocks get along with programming language memory models?") over several slots; the words
///   are atomics, released and acquired, so there is no data race to reason away.
@safe public struct SnapshotCell<Value: BitwiseCopyable>: ~Copyable {
  @usableFromInline let shared: SnapshotWords
  @usableFromInline let staging: UnsafeMutableRawPointer
  /// How often the value was replaced.
  public private(set) var version: UInt64 = 0
  private let arena: Arena

  /// A cell that holds `value`.
  ///
  /// The cell is the writer; `reader()` gives as many readers as needed, before the threads start.
  ///
  /// - Throws: `ArenaError` when the arena is full.
  public init(_ value: Value, in arena: Arena) throws(ArenaError) {
    let shared = try SnapshotWords(byteCount: MemoryLayout<Value>.size, in: arena)
    let staging = unsafe try arena.reserve(
      byteCount: max(8, shared.wordCount * 8), alignment: max(128, MemoryLayout<Value>.alignment))
    self.shared = shared
    unsafe self.staging = staging
    self.arena = arena
    unsafe staging.storeBytes(of: value, as: Value.self)
    unsafe shared.write(from: staging, version: 0)
  }

  /// A reader that holds the newest value.
  ///
  /// - Throws: `ArenaError` when the arena is full.
  public func reader() throws(ArenaError) -> SnapshotReader<Value> {
    let memory = unsafe try arena.reserve(
      byteCount: max(8, shared.wordCount * 8), alignment: max(128, MemoryLayout<Value>.alignment))
    return unsafe SnapshotReader(shared: shared, copy: memory, owner: arena)
  }

  /// Replaces the value; each reader sees it whole with its next look.
  ///
  /// - Complexity: O(size of `Value`), no allocation, wait-free.
  public mutating func publish(_ value: Value) {
    // Staged: the words are read from memory that is whole words long.
    unsafe staging.storeBytes(of: value, as: Value.self)
    // Wrapping: four thousand years of one publication a nanosecond are not reached.
    version &+= 1
    unsafe shared.write(from: staging, version: version)
  }
}

extension SnapshotCell: @unchecked Sendable where Value: Sendable {}
extension SnapshotReader: @unchecked Sendable where Value: Sendable {}

/// A reader of a `SnapshotCell`, for one thread at a time; it keeps a copy, so an unchanged value costs one load.
@safe @frozen public struct SnapshotReader<Value: BitwiseCopyable>: ~Copyable {
  @usableFromInline let shared: SnapshotWords
  @usableFromInline let copy: UnsafeMutableRawPointer
  /// The version of the value held: how often the cell had been replaced.
  public private(set) var version: UInt64
  // Keeps the memory alive; not touched after `init`, so the hot path neither retains nor releases it.
  @usableFromInline let owner: Arena

  @unsafe init(shared: SnapshotWords, copy: UnsafeMutableRawPointer, owner: Arena) {
    self.shared = shared
    unsafe self.copy = copy
    self.owner = owner
    unsafe version = shared.read(into: copy)
  }

  /// Looks for a newer value; whether there was one.
  ///
  /// - Complexity: one acquiring load when there is none.
  @inlinable public mutating func refresh() -> Bool {
    // Acquire, paired with the release in `write`; the copy is not older than what the writer has told by other ways.
    if unsafe shared.version.pointee.load(ordering: .acquiring) == version { return false }
    update()
    return true
  }

  @inline(never) @usableFromInline mutating func update() { unsafe version = shared.read(into: copy) }

  /// The value as of the last `refresh` or `read`.
  @inlinable public var value: Value {
    // The copy holds a whole value since `init`, aligned for it.
    unsafe copy.load(as: Value.self)
  }

  /// The newest value.
  @inlinable public mutating func read() -> Value {
    _ = refresh()
    return value
  }
}

/// The shared words of a `SnapshotCell`: not generic, so they compile once.
@safe @frozen @usableFromInline struct SnapshotWords {
  @usableFromInline let version: UnsafeMutablePointer<Atomic<UInt64>>
  @usableFromInline let words: UnsafeMutablePointer<Atomic<UInt64>>
  @usableFromInline let wordCount: Int

  // Whole 128-byte lines, so that a slot being written shares no line with the one being read.
  @inlinable var wordsPerSlot: Int { max(16, (wordCount + 15) / 16 * 16) }

  /// Bytes that a version and four slots take.
  static func byteCount(wordCount: Int) -> Int { 128 + 4 * max(16, (wordCount + 15) / 16 * 16) * 8 }

  init(byteCount: Int, in arena: Arena) throws(ArenaError) {
    let wordCount = (byteCount + 7) / 8
    let memory = unsafe try arena.reserve(byteCount: Self.byteCount(wordCount: wordCount), alignment: 128)
    unsafe self.init(initializing: memory, wordCount: wordCount)
  }

  /// Makes the words in memory that has room for them.
  @unsafe init(initializing memory: UnsafeMutableRawPointer, wordCount: Int) {
    unsafe self.init(at: memory, wordCount: wordCount)
    unsafe memory.bindMemory(to: Atomic<UInt64>.self, capacity: 1).initialize(to: Atomic(0))
    unsafe (memory + 128).bindMemory(to: Atomic<UInt64>.self, capacity: 4 * wordsPerSlot)
    for place in 0..<(4 * wordsPerSlot) { unsafe (words + place).initialize(to: Atomic(0)) }
  }

  /// Words that were made before.
  @unsafe @inlinable init(at memory: UnsafeMutableRawPointer, wordCount: Int) {
    self.wordCount = wordCount
    unsafe version = memory.assumingMemoryBound(to: Atomic<UInt64>.self)
    unsafe words = (memory + 128).assumingMemoryBound(to: Atomic<UInt64>.self)
  }

  func slot(_ version: UInt64) -> UnsafeMutablePointer<Atomic<UInt64>> {
    // In bounds: one of four slots.
    unsafe words + Int(truncatingIfNeeded: version & 3) * wordsPerSlot
  }

  /// Writes the words at `source` as `version`, then publishes it.
  @unsafe func write(from source: UnsafeRawPointer, version new: UInt64) {
    let target = unsafe slot(new)
    for place in 0..<wordCount {
      // Release: whoever sees this word also sees the publication three versions ago, and drops its copy of this slot.
      unsafe target[place].store(source.load(fromByteOffset: place * 8, as: UInt64.self), ordering: .releasing)
    }
    // Release, paired with the acquires in `refresh` and `read`: the words are written before the version is seen.
    unsafe version.pointee.store(new, ordering: .releasing)
  }

  /// Copies the newest value to `target`; its version.
  @unsafe func read(into target: UnsafeMutableRawPointer) -> UInt64 {
    while true {
      // Acquire, paired with the release in `write`.
      let found = unsafe version.pointee.load(ordering: .acquiring)
      let source = unsafe slot(found)
      for place in 0..<wordCount {
        // Acquire, paired with the release of the word: if it is of a later version, the check below sees that.
        unsafe target.storeBytes(
          of: source[place].load(ordering: .acquiring), toByteOffset: place * 8, as: UInt64.self)
      }
      let latest = unsafe version.pointee.load(ordering: .acquiring)
      // The slot is written again for version found + 4, which begins once found + 3 is out. Wrapping: versions only grow.
      if latest &- found < 3 { return found }
    }
  }
}
