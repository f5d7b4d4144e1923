internal import LockFreeRings

extension Arena {
  /// Room for `count` values, aligned to 128 bytes.
  @unsafe func room<T>(for _: T.Type, count: Int = 1) -> UnsafeMutablePointer<T> {
    guard let memory = unsafe take(byteCount: MemoryLayout<T>.stride * count) else {
      fatalError(
        "Arena: room for \(MemoryLayout<T>.stride * count) bytes more, \(freeBytes) are free of \(capacityBytes)")
    }
    return unsafe memory.bindMemory(to: T.self, capacity: count)
  }

  /// A copy of `list`.
  @unsafe func copy<T: BitwiseCopyable>(_ list: [T]) -> UnsafePointer<T> {
    let memory = unsafe room(for: T.self, count: list.count)
    unsafe list.withUnsafeBufferPointer { buffer in
      if let base = buffer.baseAddress { unsafe memory.initialize(from: base, count: buffer.count) }
    }
    return unsafe UnsafePointer(memory)
  }
}
