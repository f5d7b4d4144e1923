internal import CKernels
internal import LockFreeRings

/// What a network over windows remembers of the rows that have closed; one an instrument, owned by the caller.
///
/// Move-only arena memory without pointers inside, so that it can be copied and stored as bytes. It belongs to a network:
/// kernels of equal networks, whatever their instruction set, read and write the same bytes.
@safe public struct NetworkState: ~Copyable {
  /// What a prediction sees of the past.
  public enum Mode: UInt8, Sendable, CaseIterable {
    /// The window: the newest `window − 1` closed rows, bit for bit as if the whole window were computed. Before there are
    /// that many, rows of missing values stand in.
    case windowed
    /// Everything since `reset`: recurrent states run on without end; attention reads the newest `window − 1` closed rows,
    /// whose keys and values stay as they were made; convolutions read the rows of their taps. Before the first row there
    /// is nothing: zero states and padding. A learned position is the number of rows since `reset`, at most
    /// `window − 1`. Up to `window` rows after `reset` a window of just these rows gives the same bits.
    case stateful
  }

  /// Counters in front of the memory.
  struct Header: BitwiseCopyable {
    /// Rows closed since `reset`, up to `Int32.max`.
    var closed: Int32 = 0
    /// The deferred item that comes next.
    var pending: Int32 = 0
    /// The history of a staggered state that has seen `window − 1` rows.
    var oldest: Int32 = 0
    /// First row of keys and values, and how many there are.
    var first: Int32 = 0
    var count: Int32 = 0
    /// In place of padding, whose bytes nobody writes: equal states have equal snapshots.
    var reserved: Int32 = 0
    /// Rows that rings have taken.
    var head: Int64 = 0
  }

  /// What a prediction sees of the past.
  public let mode: Mode
  /// Bytes of `snapshot`.
  public let byteCount: Int
  let window: Int
  /// Which network and mode the bytes belong to.
  let identity: UInt64
  let memory: UnsafeMutableRawPointer
  // Keeps the memory alive; not touched after `init`.
  private let owner: Arena

  init(mode: Mode, byteCount: Int, window: Int, identity: UInt64, in arena: Arena) {
    self.mode = mode
    self.byteCount = byteCount
    self.window = window
    self.identity = identity
    unsafe memory = UnsafeMutableRawPointer(arena.room(for: UInt8.self, count: byteCount))
    owner = arena
  }

  var header: Header {
    // In bounds: every state begins with `NetworkKernelLayout.headerBytes`.
    get { unsafe memory.load(as: Header.self) }
    nonmutating set { unsafe memory.storeBytes(of: newValue, as: Header.self) }
  }

  /// Whether as many rows have closed since `reset` as a prediction reads besides its own.
  public var isReady: Bool { Int(header.closed) >= window - 1 }

  /// Rows that have closed since `reset`.
  public var closedCount: Int { Int(header.closed) }

  /// Everything the state holds: rows and states, with the identity of its network in front.
  ///
  /// - Complexity: O(`byteCount`), allocates the list.
  public func snapshot() -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(byteCount + 8)
    for byte in 0..<8 { bytes.append(UInt8(truncatingIfNeeded: identity >> UInt64(8 * byte))) }
    // In bounds: the memory has `byteCount` bytes, initialised by `init`.
    unsafe bytes.append(contentsOf: UnsafeRawBufferPointer(start: memory, count: byteCount))
    return bytes
  }

  /// Takes over what `snapshot` gave; false, and nothing changes, where the bytes are of another network, mode or length or
  /// their counters are none a state can have. Other damage gives other predictions, never a trap.
  ///
  /// - Complexity: O(`byteCount`).
  public mutating func restore(_ bytes: [UInt8]) -> Bool {
    guard bytes.count == byteCount + 8 else { return false }
    var stored: UInt64 = 0
    for byte in 0..<8 { stored |= UInt64(bytes[byte]) << UInt64(8 * byte) }
    guard stored == identity else { return false }
    let isAccepted = unsafe bytes.withUnsafeBytes { buffer in
      // In bounds: a state is longer than a header.
      let header = unsafe buffer.loadUnaligned(fromByteOffset: 8, as: Header.self)
      return isSound(header)
    }
    guard isAccepted else { return false }
    // In bounds: as many bytes as the memory has.
    unsafe bytes.withUnsafeBytes { buffer in
      unsafe memory.copyMemory(from: buffer.baseAddress! + 8, byteCount: byteCount)
    }
    return true
  }

  /// Takes over the rows and states of another state of an equal network and mode.
  ///
  /// - Precondition: networks and modes are equal.
  /// - Complexity: O(`byteCount`), no allocation.
  public mutating func copy(from other: borrowing NetworkState) {
    precondition(identity == other.identity && byteCount == other.byteCount, "NetworkState: states of one network")
    // In bounds: both have `byteCount` bytes.
    unsafe memory.copyMemory(from: other.memory, byteCount: byteCount)
  }

  private func isSound(_ header: Header) -> Bool {
    header.closed >= 0 && header.pending >= 0 && (0...Int64.max / 2).contains(header.head)
      && (0..<Int32(max(1, window - 1))).contains(header.oldest)
      && (0...Int32(2 * window)).contains(header.first) && (0...Int32(window)).contains(header.count)
      && header.first + header.count < Int32(2 * window)
  }
}
