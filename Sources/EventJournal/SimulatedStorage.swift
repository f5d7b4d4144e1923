internal import Synchronization

/// Segments in memory, for tests and simulations: what was written, what survives a power cut, and planned faults.
public final class SimulatedStorage: JournalStorage {
  /// What goes wrong at one commit.
  public enum Fault: Hashable, Sendable {
    /// Only the first bytes are written; no sync.
    case shortWrite(bytes: Int)
    /// The write fails with this `errno`.
    case writeError(Int32)
    /// The write is complete, the sync fails with this `errno`.
    case syncError(Int32)
    /// Making a segment fails with this `errno`.
    case beginError(Int32)
  }

  private struct State {
    var written: [UInt64: [UInt8]] = [:]
    var durable: [UInt64: [UInt8]] = [:]
    var current: UInt64 = 0
    var faults: [Int: Fault] = [:]
    var operations = 0
  }

  private let state = Mutex(State())

  /// An empty store.
  public init() {}

  /// A store that holds `images`, all of it durable.
  public init(images: [SegmentImage]) {
    state.withLock { state in
      for image in images {
        let bytes = (0..<image.byteCount).map { (place: Int) -> UInt8 in
          let word = image.words[place / 8]
          return UInt8(truncatingIfNeeded: word >> UInt64(8 * (place & 7)))
        }
        state.written[image.number] = bytes
        state.durable[image.number] = bytes
      }
    }
  }

  /// Always the same.
  public var backend: String { "simulated, in memory" }

  /// Plans `fault` for operation `number`: begins and commits, counted together from 0.
  public func plan(_ fault: Fault, atOperation number: Int) { state.withLock { $0.faults[number] = fault } }

  /// Begins and commits so far.
  public var operations: Int { state.withLock { $0.operations } }

  /// What a read finds now.
  public func images() -> [SegmentImage] {
    state.withLock { state in
      state.written.keys.sorted().map { SegmentImage(number: $0, bytes: state.written[$0]!) }
    }
  }

  /// What a power cut leaves: all that was made durable, and of the rest the 512-byte sectors that `keeps` says.
  public func imagesAfterPowerCut(keeps: (Int) -> Bool) -> [SegmentImage] {
    state.withLock { state in
      state.written.keys.sorted().compactMap { number in
        guard var bytes = state.durable[number] else { return nil }
        let written = state.written[number]!
        for sector in stride(from: 0, to: bytes.count, by: 512) where keeps(sector / 512) {
          let end = min(sector + 512, bytes.count)
          bytes.replaceSubrange(sector..<end, with: written[sector..<end])
        }
        return SegmentImage(number: number, bytes: bytes)
      }
    }
  }

  /// Makes a segment.
  public func begin(segment number: UInt64, byteCount: Int, header: RawSpan) throws(JournalError) {
    var bytes = [UInt8](repeating: 0, count: byteCount)
    for place in 0..<header.byteCount { bytes[place] = header.byte(place) }
    let refusal: Int32? = state.withLock { state in
      defer { state.operations += 1 }
      if case .beginError(let number)? = state.faults[state.operations] { return number }
      state.current = number
      state.written[number] = bytes
      state.durable[number] = bytes
      return nil
    }
    if let refusal { throw .storage(operation: "open segment", errorNumber: refusal) }
  }

  /// Writes and syncs, or does what was planned.
  public func commit(_ bytes: RawSpan, at offset: Int) -> StorageCompletion {
    let copy = (0..<bytes.byteCount).map { bytes.byte($0) }
    return state.withLock { state in
      let fault = state.faults[state.operations]
      state.operations += 1
      var count = copy.count
      if case .writeError(let number)? = fault {
        return StorageCompletion(writtenBytes: 0, writeError: number, isSynced: false)
      }
      if case .shortWrite(let limit)? = fault { count = min(count, limit) }
      state.written[state.current]!.replaceSubrange(offset..<(offset + count), with: copy[..<count])
      if case .syncError(let number)? = fault {
        return StorageCompletion(writtenBytes: count, syncError: number, isSynced: false)
      }
      if count < copy.count { return StorageCompletion(writtenBytes: count, isSynced: false) }
      state.durable[state.current] = state.written[state.current]
      return StorageCompletion(writtenBytes: count, isSynced: true)
    }
  }

  /// Nothing to let go of.
  public func close() {}
}

extension RawSpan {
  fileprivate func byte(_ place: Int) -> UInt8 {
    precondition(place >= 0 && place < byteCount, "RawSpan: the place is in range")
    // In bounds: checked above.
    return unsafe unsafeLoad(fromByteOffset: place, as: UInt8.self)
  }
}
