"""Pre-processing exactly as the device does it, and boxes.

Boxes are x1, y1, x2, y2 in pixels of the original picture. Sampling positions are those of cv2.INTER_LINEAR:
the centre of output pixel i lies at (i + 0.5) * scale - 0.5 of the source.
"""

import cv2
import numpy as np


def letterbox_placement(width, height, target_width, target_height):
    """Scale and the left, top padding that put a picture of width x height centred into the target."""
    scale = min(target_width / width, target_height / height)
    new_width, new_height = int(round(width * scale)), int(round(height * scale))
    return scale, (target_width - new_width) // 2, (target_height - new_height) // 2, new_width, new_height


def letterbox(picture, target_width, target_height, pad=114):
    """The picture resized to fit, centred on a plain ground, and the placement to map boxes back."""
    height, width = picture.shape[:2]
    scale, left, top, new_width, new_height = letterbox_placement(width, height, target_width, target_height)
    out = np.full((target_height, target_width, 3), pad, np.uint8)
    out[top:top + new_height, left:left + new_width] = cv2.resize(
        picture, (new_width, new_height), interpolation=cv2.INTER_LINEAR)
    return out, (scale, left, top)


def crop_square(box, margin):
    """Centre x, centre y and side of the square that the classifier sees for a box."""
    x1, y1, x2, y2 = box
    side = max(x2 - x1, y2 - y1) * (1 + 2 * margin)
    return (x1 + x2) / 2, (y1 + y2) / 2, side


def sample_square(picture, centre_x, centre_y, side, size, degrees=0.0, flip=False, stretch=(1.0, 1.0), border=None):
    """A size x size bilinear sample of a square of the picture; beyond the edge the edge repeats.

    The square may be turned by `degrees`, mirrored and stretched in x and y, which only training uses.
    `border` is a colour to fill with instead of repeating the edge.
    """
    angle = np.deg2rad(degrees)
    unit_x, unit_y = side / size * stretch[0], side / size * stretch[1]
    cos, sin = np.cos(angle), np.sin(angle)
    turn = np.array([[cos * unit_x, -sin * unit_y], [sin * unit_x, cos * unit_y]])
    if flip:
        turn[:, 0] = -turn[:, 0]
    middle = (size - 1) / 2
    # Pixel centres: continuous coordinate = index + 0.5.
    offset = np.array([centre_x - 0.5, centre_y - 0.5]) - turn @ np.array([middle, middle])
    matrix = np.hstack([turn, offset[:, None]])
    mode = cv2.BORDER_REPLICATE if border is None else cv2.BORDER_CONSTANT
    return cv2.warpAffine(
        picture, matrix, (size, size), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=mode,
        borderValue=border if border is not None else 0)


def crop_part(picture, box, margin, size):
    """The classifier's input for one box, as uint8 BGR.

    Done as cut-with-repeated-edge then resize rather than by warpAffine, whose positions are rounded to 1/32 pixel.
    """
    centre_x, centre_y, side = crop_square(box, margin)
    step = side / size
    index = np.arange(size)
    xs = (centre_x - side / 2 + (index + 0.5) * step - 0.5).astype(np.float32)
    ys = (centre_y - side / 2 + (index + 0.5) * step - 0.5).astype(np.float32)
    height, width = picture.shape[:2]
    x0, y0 = np.floor(xs).astype(int), np.floor(ys).astype(int)
    fx, fy = (xs - x0)[None, :, None], (ys - y0)[:, None, None]
    left, right = np.clip(x0, 0, width - 1), np.clip(x0 + 1, 0, width - 1)
    above, below = np.clip(y0, 0, height - 1), np.clip(y0 + 1, 0, height - 1)
    top = picture[above][:, left] * (1 - fx) + picture[above][:, right] * fx
    bottom = picture[below][:, left] * (1 - fx) + picture[below][:, right] * fx
    return np.clip(np.rint(top * (1 - fy) + bottom * fy), 0, 255).astype(np.uint8)


def to_tensor(pictures):
    """uint8 BGR pictures of one size as float32 NCHW RGB in 0..1 (mean 0, std 255 of the manifest)."""
    stack = np.stack(pictures)[..., ::-1].transpose(0, 3, 1, 2)
    return np.ascontiguousarray(stack, dtype=np.float32) / np.float32(255)


def iou(first, second):
    """Intersection over union of each of `first` (n, 4) with each of `second` (m, 4): an (n, m) array."""
    first, second = np.asarray(first, float).reshape(-1, 1, 4), np.asarray(second, float).reshape(1, -1, 4)
    low = np.maximum(first[..., :2], second[..., :2])
    high = np.minimum(first[..., 2:], second[..., 2:])
    shared = np.prod(np.maximum(high - low, 0), axis=-1)
    areas = np.prod(first[..., 2:] - first[..., :2], axis=-1) + np.prod(second[..., 2:] - second[..., :2], axis=-1)
    return shared / np.maximum(areas - shared, 1e-9)


def suppress(boxes, scores, threshold):
    """Indices kept by greedy non-maximum suppression, best score first."""
    order = list(np.argsort(-np.asarray(scores), kind="stable"))
    kept = []
    while order:
        best = order.pop(0)
        kept.append(best)
        if order:
            overlap = iou(boxes[best], boxes[order])[0]
            order = [other for other, value in zip(order, overlap) if value <= threshold]
    return kept
