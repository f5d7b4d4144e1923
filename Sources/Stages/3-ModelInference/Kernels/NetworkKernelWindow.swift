internal import CKernels
internal import LockFreeRings

/// Whole windows, and the pieces of work that they and deferred slices consist of.
extension NetworkKernel {
  /// The first output for a whole window, without a state; `output` gives the others.
  ///
  /// - Parameter rows: Float, `[window × featureCount]`, row-major, the newest row last, NaN where there is no value.
  /// - Precondition: there are as many values.
  /// - Complexity: O(network × window), no allocation; rows that no output depends on are left out.
  public func predictWindow(_ rows: Span<Float>) -> Float {
    precondition(rows.count == window * featureCount, "NetworkKernel: a window of rows")
    guard following != .nothing else {
      loadScratch(rows, row: window - 1)
      return unsafe runTick(rowScratch, memory: wholeMemory, room: wholeLayout, position: window - 1)
    }
    let frame = unsafe frame(of: wholeLayout, in: wholeMemory)
    // Rows whose whole vectors end within the window are read where they lie.
    let vectors = (featureCount + 15) / 16 * 16
    let direct = rows.count < vectors ? 0 : (rows.count - vectors) / featureCount + 1
    // In bounds: see above.
    unsafe rows.withUnsafeBufferPointer { buffer in
      unsafe loadInput(buffer.baseAddress!, count: direct, into: frame, row: 0)
    }
    for row in direct..<window {
      loadScratch(rows, row: row)
      unsafe loadInput(rowScratch, into: frame, row: row)
    }
    for number in 0..<wholeLayout.itemCount {
      // In bounds: as many items.
      unsafe run(wholeLayout.items[number], memory: wholeMemory, room: wholeLayout, lists: wholeRows)
    }
    let output = unsafe frame.values(outputPlace, row: window - 1)
    // In bounds: both have room for the value's width; `output` reads it there.
    unsafe tick.values(outputPlace).update(from: output, count: outputCount)
    return unsafe output[0]
  }

  private func loadScratch(_ rows: Span<Float>, row: Int) {
    // In bounds: the scratch has room for the features and their padding.
    unsafe rows.withUnsafeBufferPointer { buffer in
      unsafe rowScratch.update(from: buffer.baseAddress! + row * featureCount, count: featureCount)
    }
  }

  @unsafe func frame(of room: NetworkKernelRoom, in memory: UnsafeMutableRawPointer) -> NetworkKernelFrame {
    // In bounds: the layout has counted it.
    unsafe NetworkKernelFrame(base: memory + room.frame, rows: room.frameRows)
  }

  // In every call below: places lie in the frame, memories in the state, tables are as long as their counts say.
  @unsafe func run(
    _ item: NetworkKernelItem, memory: UnsafeMutableRawPointer, room: NetworkKernelRoom, lists: UnsafePointer<UInt16>
  ) {
    let number = Int(item.step)
    let step = unsafe UnsafePointer(steps + number)
    switch item.part {
    case .rows:
      let list = unsafe lists + number * window + Int(item.first)
      let rows = unsafe martlet_net_rows(list: list, count: UInt32(item.count))
      unsafe runRows(step, rows, first: Int(item.first), memory: memory, room.memories + number, room: room)
    case .before: unsafe runBefore(step, memory: memory, room.memories + number, room: room)
    case .ahead: unsafe runAhead(step, memory: memory, room.memories + number, room: room)
    case .products, .inputs, .cells: unsafe advance(item, memory: memory, room: room, except: nil)
    }
  }

  /// Rows of a window that lie in the room's frame.
  @unsafe private func runRows(
    _ step: UnsafePointer<NetworkKernelStep>, _ rows: martlet_net_rows, first: Int,
    memory base: UnsafeMutableRawPointer, _ memory: UnsafePointer<NetworkKernelMemory>, room: NetworkKernelRoom
  ) {
    let frame = unsafe frame(of: room, in: base)
    let source = unsafe step.pointee.source
    let result = unsafe step.pointee.result
    switch unsafe step.pointee.kind {
    case .convolution:
      let earlier = unsafe step.pointee.recurrent!
      if source.low == 0, unsafe step.pointee.taps <= MARTLET_NET_TAPS {
        unsafe convolve(step, rows, frame: frame)
        break
      }
      unsafe gather(step, rows, frame: frame)
      unsafe martlet_net_sums(
        choice, earlier, martlet_net_rows(list: nil, count: rows.count), patches, patchStride(earlier), nil,
        starts, Int(earlier.pointee.channels))
      unsafe product(step, step.pointee.product!, rows, frame: frame, starts: starts)
    case .lstm, .gru, .gruAfterReset:
      unsafe runRecurrent(step, rows, isFirst: first == 0, memory: base, memory, frame: frame)
    case .attention:
      for index in 0..<(unsafe Int(rows.count)) {
        let row = unsafe Int(rows.list![index])
        let isLone = unsafe !step.pointee.remembers
        let from = isLone ? row : 0
        unsafe attend(
          step, query: frame.values(source, row: row), keys: frame.values(step.pointee.second, row: from),
          values: frame.values(step.pointee.third, row: from), stride: result.stride, count: isLone ? 1 : row + 1,
          result: frame.values(result, row: row))
      }
    default: unsafe runRows(step, rows, frame: frame, position: 0)
    }
    if unsafe !step.pointee.writesCodes { unsafe encode(step, rows, frame: frame) }
  }

  /// Rows of a convolution over 8-bit codes, read where they lie.
  @unsafe private func convolve(
    _ step: UnsafePointer<NetworkKernelStep>, _ rows: martlet_net_rows, frame: NetworkKernelFrame
  ) {
    let source = unsafe step.pointee.source
    let result = unsafe step.pointee.result
    unsafe martlet_net_convolution(
      choice, step.pointee.recurrent!, step.pointee.product!, rows, frame.codes(source), source.codeStride,
      step.pointee.taps, step.pointee.dilation, step.pointee.padding!,
      step.pointee.hasValues ? frame.values(result) : nil, result.stride,
      step.pointee.hasCodes ? frame.codes(result) : nil, result.codeStride, step.pointee.coding)
  }

  /// Bytes of a row of patches.
  @unsafe private func patchStride(_ earlier: UnsafePointer<martlet_net_product>) -> Int {
    let product = unsafe earlier.pointee
    return unsafe Int(product.low > 0 ? 2 * product.low : product.inputs)
  }

  /// The earlier taps of rows of a window, to `patches`: high bytes, then low ones where codes are wide.
  @unsafe private func gather(
    _ step: UnsafePointer<NetworkKernelStep>, _ rows: martlet_net_rows, frame: NetworkKernelFrame
  ) {
    let source = unsafe step.pointee.source
    let earlier = unsafe step.pointee.recurrent!
    let bytes = unsafe step.pointee.product!.pointee.inputs
    let stride = unsafe patchStride(earlier)
    unsafe martlet_net_patches(
      rows, frame.codes(source), source.codeStride, bytes, step.pointee.taps, step.pointee.dilation,
      step.pointee.padding!, patches, stride)
    guard source.low > 0 else { return }
    unsafe martlet_net_patches(
      rows, frame.codes(source) + source.low, source.codeStride, bytes, step.pointee.taps, step.pointee.dilation,
      step.pointee.padding! + source.low, patches + Int(earlier.pointee.low), stride)
  }

  /// Rows one after the other, the input's products first; the state stays in the memory.
  @unsafe private func runRecurrent(
    _ step: UnsafePointer<NetworkKernelStep>, _ rows: martlet_net_rows, isFirst: Bool,
    memory base: UnsafeMutableRawPointer, _ memory: UnsafePointer<NetworkKernelMemory>, frame: NetworkKernelFrame
  ) {
    let source = unsafe step.pointee.source
    let result = unsafe step.pointee.result
    let product = unsafe step.pointee.product!
    let channels = unsafe Int(product.pointee.channels)
    let lone = unsafe step.pointee.lone?.assumingMemoryBound(to: Float.self)
    let cells = unsafe lone ?? (base + memory.pointee.cells).assumingMemoryBound(to: Float.self)
    let before =
      unsafe lone.map { unsafe $0 + Int(step.pointee.units) }
      ?? (base + memory.pointee.before).assumingMemoryBound(to: Float.self)
    let next = unsafe lone == nil ? cells : nextCells + step.pointee.next
    if isFirst, unsafe lone == nil { unsafe forget(step, memory: base, memory, history: 0) }
    unsafe martlet_net_sums(choice, product, rows, frame.codes(source), source.codeStride, nil, sums, channels)
    if unsafe lone == nil, unsafe step.pointee.kind == .lstm {
      // The rows follow each other: a state needs all of them.
      let first = unsafe Int(rows.list![0])
      unsafe martlet_net_lstm_rows(
        choice, step.pointee.recurrent!, rows.count, sums, product.pointee.scale, next,
        (base + memory.pointee.hidden).assumingMemoryBound(to: UInt8.self), frame.values(result, row: first),
        result.stride, frame.codes(result, row: first), result.codeStride, step.pointee.coding!)
      return
    }
    for index in 0..<(unsafe Int(rows.count)) {
      let row = unsafe Int(rows.list![index])
      let codes = unsafe frame.codes(result, row: row)
      if unsafe lone == nil {
        let last =
          unsafe isFirst && index == 0
          ? (base + memory.pointee.hidden).assumingMemoryBound(to: UInt8.self) : frame.codes(result, row: row - 1)
        unsafe recur(step, from: last, count: 1, stride: 0, to: before)
      }
      unsafe cell(
        step, sums: sums + index * channels, before: before, cells: cells, next: next,
        hidden: frame.values(result, row: row), codes: codes)
    }
    if unsafe lone == nil {
      let last = unsafe Int(rows.list![Int(rows.count) - 1])
      let hidden = unsafe (base + memory.pointee.hidden).assumingMemoryBound(to: UInt8.self)
      unsafe hidden.update(from: frame.codes(result, row: last), count: memory.pointee.hiddenStride)
    }
  }

  /// What hidden states add to the gates of the row after them.
  @unsafe func recur(
    _ step: UnsafePointer<NetworkKernelStep>, from codes: UnsafePointer<UInt8>, count: Int, stride: Int,
    to before: UnsafeMutablePointer<Float>
  ) {
    let product = unsafe step.pointee.recurrent!
    unsafe martlet_net_product_rows(
      choice, product, martlet_net_rows(list: nil, count: UInt32(count)), codes, stride, nil, 0, before,
      Int(product.pointee.channels), nil, 0, nil)
  }

  /// The state of a history before its first row.
  @unsafe func forget(
    _ step: UnsafePointer<NetworkKernelStep>, memory base: UnsafeMutableRawPointer,
    _ memory: UnsafePointer<NetworkKernelMemory>, history: Int
  ) {
    let stride = unsafe memory.pointee.cellStride
    let hidden = unsafe memory.pointee.hiddenStride
    let cells = unsafe (base + memory.pointee.cells).assumingMemoryBound(to: Float.self) + history * stride
    unsafe cells.update(repeating: 0, count: stride)
    let codes = unsafe (base + memory.pointee.hidden).assumingMemoryBound(to: UInt8.self) + history * hidden
    unsafe codes.update(repeating: UInt8(truncatingIfNeeded: step.pointee.coding!.pointee.zero_point), count: hidden)
  }

  /// What the second longest history will add to the gates once it is the longest.
  @unsafe func runAhead(
    _ step: UnsafePointer<NetworkKernelStep>, memory base: UnsafeMutableRawPointer,
    _ memory: UnsafePointer<NetworkKernelMemory>, room: NetworkKernelRoom
  ) {
    let history = unsafe (Int(base.load(as: NetworkState.Header.self).oldest) + 1) % room.histories
    let codes =
      unsafe (base + memory.pointee.hidden).assumingMemoryBound(to: UInt8.self) + history * memory.pointee.hiddenStride
    unsafe recur(
      step, from: codes, count: 1, stride: 0, to: (base + memory.pointee.ahead).assumingMemoryBound(to: Float.self))
  }

  /// What an operator's memory adds to the row that comes next.
  @unsafe private func runBefore(
    _ step: UnsafePointer<NetworkKernelStep>, memory base: UnsafeMutableRawPointer,
    _ memory: UnsafePointer<NetworkKernelMemory>, room: NetworkKernelRoom
  ) {
    guard unsafe step.pointee.kind == .convolution else {
      let header = unsafe base.load(as: NetworkState.Header.self)
      let codes =
        unsafe (base + memory.pointee.hidden).assumingMemoryBound(to: UInt8.self)
        + Int(header.oldest) * memory.pointee.hiddenStride
      unsafe recur(
        step, from: codes, count: 1, stride: 0,
        to: (base + memory.pointee.before).assumingMemoryBound(to: Float.self))
      return
    }
    let earlier = unsafe step.pointee.recurrent!
    let bytes = unsafe Int(step.pointee.product!.pointee.inputs)
    if room.following == .recomputed {
      let last = UInt16(window - 1)
      // The list is read before the call returns.
      unsafe withUnsafePointer(to: last) { list in
        unsafe gather(step, martlet_net_rows(list: list, count: 1), frame: frame(of: room, in: base))
      }
    } else {
      let header = unsafe base.load(as: NetworkState.Header.self)
      let ring = unsafe (base + memory.pointee.ring).assumingMemoryBound(to: UInt8.self)
      let rows = unsafe memory.pointee.ringRows
      let taps = unsafe Int(step.pointee.taps)
      for tap in 0..<taps {
        // The row that many rows before the one that comes next; the newest has place `head − 1`.
        let age = unsafe (taps - tap) * Int(step.pointee.dilation)
        let place = (Int(header.head % Int64(rows)) + rows - age) % rows
        let row = unsafe ring + place * memory.pointee.ringStride
        unsafe (patches + tap * bytes).update(from: row, count: bytes)
        let low = unsafe Int(earlier.pointee.low)
        if low > 0 { unsafe (patches + low + tap * bytes).update(from: row + bytes, count: bytes) }
      }
    }
    unsafe martlet_net_sums(
      choice, earlier, martlet_net_rows(list: nil, count: 1), patches, 0, nil,
      (base + memory.pointee.starts).assumingMemoryBound(to: Int32.self), 0)
  }
}
