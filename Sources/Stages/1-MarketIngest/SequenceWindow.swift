public import LockFreeRings

/// Messages that came before their turn, by sequence number, in preallocated memory.
///
/// A message lies in blocks of 64 bytes, one behind the other in a list: nothing is moved when others leave, so messages may come
/// and go in any order and all memory can always be used. One of up to 64 bytes is read where it lies; a longer one is put
/// together first.
///
/// Invariant: a slot holds the sequence number it is for, so two numbers that share a slot are never taken for each other.
///
/// - Complexity: O(bytes) to hold, O(1) to ask, no allocation after `init`.
@frozen @usableFromInline struct SequenceWindow: ~Copyable {
  @frozen @usableFromInline struct Slot: BitwiseCopyable {
    /// The message's number; 0 for an empty slot.
    @usableFromInline var sequence: UInt64 = 0
    @usableFromInline var firstBlock: UInt32 = 0
    @usableFromInline var byteCount: UInt32 = 0

    @inlinable init() {}
  }

  @usableFromInline static var blockBytes: Int { 64 }

  @usableFromInline var slots: Slab<Slot>
  // Words of the blocks, eight each.
  @usableFromInline var words: Slab<UInt64>
  // The block behind each block: of the same message, or the next free one. The last one's is the count of blocks.
  @usableFromInline var links: Slab<UInt32>
  // Where a message longer than a block is put together.
  @usableFromInline var scratch: Slab<UInt64>
  @usableFromInline var firstFree: UInt32 = 0
  @usableFromInline var freeBlocks: Int
  @usableFromInline var heldCount = 0

  init(_ configuration: LineConfiguration, in arena: Arena) {
    let blocks = configuration.windowBytes / 64
    var slots = Slab(repeating: Slot(), count: configuration.windowMessages, in: arena)
    var links = Slab(repeating: UInt32(0), count: blocks, in: arena)
    for block in 0..<blocks { links[block] = UInt32(block + 1) }
    // Number 0 is never held: an empty slot is told by it.
    slots[0] = Slot()
    self.slots = slots
    self.links = links
    words = Slab(repeating: 0, count: 8 * blocks, in: arena)
    scratch = Slab(repeating: 0, count: 8_192, in: arena)
    freeBlocks = blocks
  }

  @inlinable static func place(_ sequence: UInt64) -> Int { Int(truncatingIfNeeded: sequence) }

  @inlinable func holds(_ sequence: UInt64) -> Bool { slots[masked: Self.place(sequence)].sequence == sequence }

  /// Blocks that `byteCount` bytes take: one at least, so that every held message has one.
  @inlinable static func blocks(_ byteCount: Int) -> Int { max(1, (byteCount + 63) / 64) }

  /// Keeps a copy of `bytes`; false where the memory is used up or the slot is taken.
  @usableFromInline mutating func hold(_ bytes: ByteView, sequence: UInt64) -> Bool {
    let blocks = Self.blocks(bytes.count)
    guard bytes.count <= 65_536, blocks <= freeBlocks, slots[masked: Self.place(sequence)].sequence == 0 else {
      return false
    }
    let first = firstFree
    var block = first
    for number in 0..<blocks {
      let start = number * 64
      write(bytes, from: start, count: min(64, bytes.count - start), to: Int(block) * 8)
      block = links[Int(block)]
    }
    firstFree = block
    freeBlocks -= blocks
    heldCount += 1
    slots[masked: Self.place(sequence)].sequence = sequence
    slots[masked: Self.place(sequence)].firstBlock = first
    slots[masked: Self.place(sequence)].byteCount = UInt32(bytes.count)
    return true
  }

  private mutating func write(_ bytes: ByteView, from start: Int, count: Int, to word: Int) {
    var offset = 0
    while offset + 8 <= count {
      words[word + offset / 8] = bytes.littleEndian64(at: start + offset).littleEndian
      offset += 8
    }
    guard offset < count else { return }
    var last: UInt64 = 0
    for place in offset..<count { last |= UInt64(bytes.byte(at: start + place)) << UInt64(8 * (place - offset)) }
    words[word + offset / 8] = last.littleEndian
  }

  /// Gives up the message `sequence`; nothing where it is not held.
  @usableFromInline mutating func release(_ sequence: UInt64) {
    let slot = slots[masked: Self.place(sequence)]
    guard sequence != 0, slot.sequence == sequence else { return }
    let blocks = Self.blocks(Int(slot.byteCount))
    var last = Int(slot.firstBlock)
    for _ in 1..<blocks { last = Int(links[last]) }
    links[last] = firstFree
    firstFree = slot.firstBlock
    freeBlocks += blocks
    heldCount -= 1
    slots[masked: Self.place(sequence)].sequence = 0
  }

  /// Puts a message longer than a block together, so that `bytes(of:)` can show it.
  @usableFromInline mutating func prepare(_ sequence: UInt64) {
    let slot = slots[masked: Self.place(sequence)]
    let blocks = Self.blocks(Int(slot.byteCount))
    guard blocks > 1 else { return }
    var block = Int(slot.firstBlock)
    for number in 0..<blocks {
      for word in 0..<8 { scratch[number * 8 + word] = words[block * 8 + word] }
      // The link of the last block may be no block's; it is not followed.
      if number + 1 < blocks { block = Int(links[block]) }
    }
  }

  /// The bytes of a held message: none where it is not held. A longer one is the one prepared last.
  @_lifetime(borrow self)
  @usableFromInline func bytes(of sequence: UInt64) -> ByteView {
    let slot = slots[masked: Self.place(sequence)]
    let count = sequence != 0 && slot.sequence == sequence ? Int(slot.byteCount) : 0
    if count > 64 { return ByteView(scratch.span.rawBytes).slice(from: 0, count: count) }
    return ByteView(words.span.rawBytes).slice(from: Int(slot.firstBlock) * 64, count: count)
  }
}

extension SequenceWindow {
  /// Gives up all messages.
  ///
  /// - Complexity: O(window).
  mutating func releaseAll() {
    guard heldCount > 0 else { return }
    for place in 0..<slots.count where slots[place].sequence != 0 { release(slots[place].sequence) }
  }
}
