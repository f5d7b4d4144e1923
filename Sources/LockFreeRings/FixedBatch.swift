/// A bounded list in arena memory: a batch that stages append to and read as a span. It never grows.
@safe @frozen public struct FixedBatch<Element: BitwiseCopyable>: ~Copyable {
  @usableFromInline let base: UnsafeMutablePointer<Element>
  /// Elements it can hold.
  public let capacity: Int
  @usableFromInline var storedCount: Int
  // Keeps the memory alive; not touched after `init`, so the hot path neither retains nor releases it.
  @usableFromInline let owner: Arena

  /// An empty batch with room for `capacity` elements.
  ///
  /// - Precondition: the arena has room; plan its capacity from the configuration.
  public init(capacity: Int, in arena: Arena) {
    precondition(capacity >= 0, "FixedBatch: the capacity is not negative")
    let (byteCount, overflow) = MemoryLayout<Element>.stride.multipliedReportingOverflow(by: capacity)
    precondition(!overflow, "FixedBatch: the size in bytes fits an Int")
    guard let memory = unsafe arena.take(byteCount: byteCount, alignment: max(128, MemoryLayout<Element>.alignment))
    else {
      fatalError(ArenaError.exhausted(requestedBytes: byteCount, freeBytes: arena.freeBytes).description)
    }
    unsafe base = memory.bindMemory(to: Element.self, capacity: capacity)
    self.capacity = capacity
    storedCount = 0
    owner = arena
  }

  /// Elements it holds.
  @inlinable public var count: Int { storedCount }

  /// Whether it holds nothing.
  @inlinable public var isEmpty: Bool { count == 0 }

  /// Elements that still find room.
  @inlinable public var freeCapacity: Int { capacity &- count }

  /// Appends `element`, or answers false when there is no room.
  @inlinable public mutating func tryAppend(_ element: Element) -> Bool {
    guard count < capacity else { return false }
    // In bounds: checked above.
    unsafe (base + count).initialize(to: element)
    // In range: at most the capacity.
    storedCount &+= 1
    return true
  }

  /// Appends `element`.
  ///
  /// - Precondition: `freeCapacity > 0`.
  @inlinable public mutating func append(_ element: Element) {
    let hadRoom = tryAppend(element)
    precondition(hadRoom, "FixedBatch: the batch has room")
  }

  /// Forgets all elements; the memory stays.
  @inlinable public mutating func removeAll() { storedCount = 0 }

  /// The element at `index`.
  ///
  /// - Precondition: `0 <= index < count`.
  @inlinable public subscript(index: Int) -> Element {
    @_transparent unsafeAddress {
      precondition(UInt(bitPattern: index) < UInt(bitPattern: count), "FixedBatch: the index is in range")
      // In bounds: checked above.
      return unsafe UnsafePointer(base + index)
    }
    @_transparent unsafeMutableAddress {
      precondition(UInt(bitPattern: index) < UInt(bitPattern: count), "FixedBatch: the index is in range")
      // In bounds: checked above.
      return unsafe base + index
    }
  }

  /// The elements, to read.
  @inlinable public var span: Span<Element> {
    @_lifetime(borrow self) get {
      let span = unsafe Span(_unsafeStart: base, count: count)
      return unsafe _overrideLifetime(span, borrowing: self)
    }
  }

  /// The elements, to change in place.
  @inlinable public var mutableSpan: MutableSpan<Element> {
    @_lifetime(&self) mutating get {
      let span = unsafe MutableSpan(_unsafeStart: base, count: count)
      return unsafe _overrideLifetime(span, mutating: &self)
    }
  }
}

// One owner of its own part of the arena: it may move to another thread.
extension FixedBatch: @unchecked Sendable where Element: Sendable {}
