internal import CKernels
internal import LockFreeRings

/// One row through the network, with what memories add to it.
extension NetworkKernel {
  /// Writes every value of the row to `tick`, what recurrent states would become to `nextCells`, and keys and values
  /// behind those of the closed rows; gives the first output.
  @unsafe func runTick(
    _ row: UnsafePointer<Float>, memory: UnsafeMutableRawPointer, room: NetworkKernelRoom, position: Int
  ) -> Float {
    unsafe loadInput(row, into: tick, row: 0)
    let header = unsafe memory.load(as: NetworkState.Header.self)
    var number = 0
    while number < stepCount {
      // In bounds: there are as many steps, and memories, as operators.
      let step = unsafe UnsafePointer(steps + number)
      if let layers = unsafe step.pointee.layers {
        unsafe martlet_net_layers(choice, layers, UInt32(step.pointee.layerCount))
        number += unsafe step.pointee.layerCount
      } else {
        unsafe runTick(step, memory: memory, room.memories + number, header: header, position: position)
        number += 1
      }
    }
    return unsafe tick.values(outputPlace)[0]
  }

  /// Lists the dense operators that follow each other, so that one call runs a single row through all of them.
  func joinLayers(in arena: Arena) {
    var first = 0
    while first < stepCount {
      var end = first
      // In bounds: as many steps as operators; places lie in the tick's frame.
      while end < stepCount, unsafe steps[end].kind == .dense { end += 1 }
      if end > first {
        let list = unsafe arena.room(for: martlet_net_layer.self, count: end - first)
        for number in first..<end {
          let step = unsafe steps[number]
          unsafe (list + number - first).initialize(
            to: martlet_net_layer(
              product: step.product!, source: tick.codes(step.source),
              values: step.hasValues ? tick.values(step.result) : nil,
              result: step.hasCodes ? tick.codes(step.result) : nil, coding: step.coding))
        }
        unsafe steps[first].layers = UnsafePointer(list)
        unsafe steps[first].layerCount = end - first
      }
      first = end + 1
    }
  }

  /// Value 0 from a row of features.
  @unsafe func loadInput(_ row: UnsafePointer<Float>, into frame: NetworkKernelFrame, row number: Int) {
    unsafe loadInput(row, count: 1, into: frame, row: number)
  }

  /// Value 0 from rows of features that lie behind each other; up to 15 entries past the last one are read.
  @unsafe func loadInput(
    _ rows: UnsafePointer<Float>, count: Int, into frame: NetworkKernelFrame, row: Int
  ) {
    // In bounds: rows of a frame are padded to whole vectors.
    if inputHasCodes {
      unsafe martlet_net_input_codes(
        choice, input, rows, featureCount, UInt32(count), frame.codes(inputPlace, row: row), inputPlace.codeStride)
    }
    if inputHasValues {
      unsafe martlet_net_input_values(
        choice, input, rows, featureCount, UInt32(count), frame.values(inputPlace, row: row), inputPlace.stride)
    }
  }

  // In every call below: places lie in the frame, memories in the state, tables are as long as their counts say.
  @unsafe private func runTick(
    _ step: UnsafePointer<NetworkKernelStep>, memory base: UnsafeMutableRawPointer,
    _ memory: UnsafePointer<NetworkKernelMemory>, header: NetworkState.Header, position: Int
  ) {
    let one = unsafe martlet_net_rows(list: nil, count: 1)
    switch unsafe step.pointee.kind {
    case .convolution:
      let starts = unsafe (base + memory.pointee.starts).assumingMemoryBound(to: Int32.self)
      unsafe product(step, step.pointee.product!, one, frame: tick, starts: starts)
    case .lstm, .gru, .gruAfterReset:
      let isLone = unsafe step.pointee.lone != nil
      let lone = unsafe step.pointee.lone?.assumingMemoryBound(to: Float.self)
      let cells =
        unsafe isLone
        ? lone!
        : (base + memory.pointee.cells).assumingMemoryBound(to: Float.self)
          + Int(header.oldest) * memory.pointee.cellStride
      let before =
        unsafe isLone
        ? lone! + Int(step.pointee.units) : (base + memory.pointee.before).assumingMemoryBound(to: Float.self)
      if unsafe step.pointee.kind == .lstm {
        unsafe martlet_net_lstm_input(
          choice, step.pointee.product!, tick.codes(step.pointee.source), before, cells,
          nextCells + step.pointee.next, tick.values(step.pointee.result), tick.codes(step.pointee.result),
          step.pointee.coding!)
      } else {
        unsafe martlet_net_sums(
          choice, step.pointee.product!, one, tick.codes(step.pointee.source), 0, nil, sums, 0)
        unsafe cell(
          step, sums: sums, before: before, cells: cells, next: nextCells + step.pointee.next,
          hidden: tick.values(step.pointee.result), codes: tick.codes(step.pointee.result))
      }
    case .attention:
      if unsafe !step.pointee.remembers {
        unsafe attend(
          step, query: tick.values(step.pointee.source), keys: tick.values(step.pointee.second),
          values: tick.values(step.pointee.third), stride: 0, count: 1, result: tick.values(step.pointee.result))
      } else {
        let stride = unsafe memory.pointee.keyStride
        let place = Int(header.first) * stride
        let last = Int(header.count) * stride
        let keys = unsafe (base + memory.pointee.keys).assumingMemoryBound(to: Float.self) + place
        let values = unsafe (base + memory.pointee.values).assumingMemoryBound(to: Float.self) + place
        unsafe (keys + last).update(from: tick.values(step.pointee.second), count: stride)
        unsafe (values + last).update(from: tick.values(step.pointee.third), count: stride)
        unsafe attend(
          step, query: tick.values(step.pointee.source), keys: keys, values: values, stride: stride,
          count: Int(header.count) + 1, result: tick.values(step.pointee.result))
      }
    default: unsafe runRows(step, one, frame: tick, position: position)
    }
    if unsafe !step.pointee.writesCodes { unsafe encode(step, one, frame: tick) }
  }

  /// A product of rows of a frame, with its activation, as values and codes as the step asks.
  @unsafe func product(
    _ step: UnsafePointer<NetworkKernelStep>, _ product: UnsafePointer<martlet_net_product>, _ rows: martlet_net_rows,
    frame: NetworkKernelFrame, starts: UnsafePointer<Int32>?
  ) {
    let source = unsafe step.pointee.source
    let result = unsafe step.pointee.result
    let values = unsafe step.pointee.hasValues ? frame.values(result) : nil
    let codes = unsafe step.pointee.hasCodes ? frame.codes(result) : nil
    let coding = unsafe step.pointee.coding
    unsafe martlet_net_product_rows(
      choice, product, rows, frame.codes(source), source.codeStride, starts, Int(product.pointee.channels), values,
      result.stride, codes, result.stride, coding)
  }

  /// A recurrent cell from the sums of its input.
  @unsafe func cell(
    _ step: UnsafePointer<NetworkKernelStep>, sums: UnsafePointer<Int32>, before: UnsafePointer<Float>,
    cells: UnsafePointer<Float>, next: UnsafeMutablePointer<Float>, hidden: UnsafeMutablePointer<Float>,
    codes: UnsafeMutablePointer<UInt8>
  ) {
    let coding = unsafe step.pointee.coding
    let product = unsafe step.pointee.product!.pointee
    let units = unsafe step.pointee.units
    switch unsafe step.pointee.kind {
    case .lstm:
      unsafe martlet_net_lstm(choice, units, sums, product.scale, before, cells, next, hidden, codes, coding!)
    case .gru:
      unsafe martlet_net_gru(
        choice, units, sums, product.scale, product.bias, before, cells, hidden, codes, coding!)
      unsafe next.update(from: hidden, count: Int(units))
    default:
      unsafe martlet_net_gru_reset(choice, units, sums, product.scale, before, cells, codes, coding!)
      unsafe martlet_net_product_rows(
        choice, step.pointee.recurrent!, martlet_net_rows(list: nil, count: 1), codes, 0, nil, 0, after, 0, nil, 0, nil)
      unsafe martlet_net_gru_after(
        choice, units, sums, product.scale, product.bias, before, after, cells, hidden, codes, coding!)
      unsafe next.update(from: hidden, count: Int(units))
    }
  }

  @unsafe func attend(
    _ step: UnsafePointer<NetworkKernelStep>, query: UnsafePointer<Float>, keys: UnsafePointer<Float>,
    values: UnsafePointer<Float>, stride: Int, count: Int, result: UnsafeMutablePointer<Float>
  ) {
    unsafe martlet_net_attention(
      choice, step.pointee.heads, step.pointee.size, step.pointee.scale, query, keys, values, stride, UInt32(count),
      result)
  }

  /// Rows of a frame through a step that reads nothing but those rows; `position` is the place of row 0 in the window.
  @unsafe func runRows(
    _ step: UnsafePointer<NetworkKernelStep>, _ rows: martlet_net_rows, frame: NetworkKernelFrame, position: Int
  ) {
    let result = unsafe step.pointee.result
    let stride = result.stride
    let width = unsafe step.pointee.width
    let source = unsafe step.pointee.source
    switch unsafe step.pointee.kind {
    case .dense: unsafe product(step, step.pointee.product!, rows, frame: frame, starts: nil)
    case .normalise:
      unsafe martlet_net_normalise(
        choice, rows, width, frame.values(source), frame.values(result), stride, step.pointee.gain!,
        step.pointee.shift!, step.pointee.scale)
    case .affine:
      unsafe martlet_net_affine(
        choice, rows, width, frame.values(source), frame.values(result), stride, step.pointee.gain!,
        step.pointee.shift!)
    case .add:
      unsafe martlet_net_add(
        choice, rows, width, frame.values(source), frame.values(step.pointee.second), frame.values(result), stride)
    case .activate:
      unsafe martlet_net_activate(
        choice, rows, width, frame.values(source), frame.values(result), stride, step.pointee.activation,
        step.pointee.slope)
    case .positions:
      unsafe martlet_net_add(
        choice, rows, width, frame.values(source), step.pointee.gain! + position * stride, frame.values(result),
        stride)
    default: break
    }
  }

  /// Codes of rows whose values a step has written.
  @unsafe func encode(
    _ step: UnsafePointer<NetworkKernelStep>, _ rows: martlet_net_rows, frame: NetworkKernelFrame
  ) {
    guard unsafe step.pointee.hasCodes, unsafe step.pointee.kind != .nothing else { return }
    let result = unsafe step.pointee.result
    let coding = unsafe step.pointee.coding
    unsafe martlet_net_codes_rows(
      choice, rows, step.pointee.width, frame.values(result), result.stride, frame.codes(result), result.stride, coding!
    )
  }
}
